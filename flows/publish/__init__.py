"""From a department's file to delivered events: recognise, map, check, plan, send, report."""

"""Identifiers of enterprises, organisations and licences, and the rules of their check digits."""

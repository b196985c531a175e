"""免提交: which papers an enterprise need not bring for a matter, why, and on what proof."""

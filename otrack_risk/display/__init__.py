"""The only code that formats for people; it knows no metric."""

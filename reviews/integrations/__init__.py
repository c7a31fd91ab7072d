"""Everything that leaves the machine: Jira, and the PDF printer."""

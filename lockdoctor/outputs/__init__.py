"""From a report to text; the only place that uses rich and humanize."""

"""CSV and Excel files in a folder or an S3-compatible store, through a mapping."""

"""What MLflow keeps, read from where it is and brought elsewhere: from a live server, from an `mlruns` folder, into a project, into a folder."""

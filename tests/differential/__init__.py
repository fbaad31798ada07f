"""One scripted session of MLflow's own client, had with MLflow's own server and with ours, and compared field by field."""

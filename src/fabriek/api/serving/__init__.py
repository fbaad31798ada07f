"""Served models over HTTP.

managing   what people do: serve, look, stop, keys
endpoint   the public address that programs call with a key
passing    one call carried to the job's own door and back, bounded and counted
answers    what an answer says it cost, whole or as a stream of events
refusals   errors as OpenAI's and MLflow's clients read them
"""

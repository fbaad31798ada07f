"""When a job will probably start: the same admission, played forward from now, and what came of earlier forecasts.

forecasts    what is said of a start, and the features by which forecasts are alike
past         how long jobs really ran beside what they asked for, and when they came
futures      one way in which it may go on: how long each runs, and who comes yet
ahead        admission played forward through one of those
chances      when a job starts in each of several, and the forecast that this makes
calibrating  from what was played to an interval that holds as often as it says
smaller      variants of a job that may start sooner
sentences    the same in words, in English and in Dutch
backtesting  forecasts of a trace, made at each submission with what was known then, beside what came of them
service      what one may ask; `keeping` makes and keeps forecasts of those that wait, beside the worker's rounds
"""

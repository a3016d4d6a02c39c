"""The dispatcher under fire: processes are killed, paused and cut off while jobs run, and then everything is counted.

processes   one process of the installation, to kill and start again
town        the whole installation: database, dispatchers, API, ComfyUI servers, storage
kinds       kinds of jobs, each making what only it makes
people      who submits and cancels, and asks again when the API dies in between
trouble     what goes wrong, from a seed
audit       what must be true at the end
campaign    one run of it all
`python -m tests.chaos --jobs 500 --seed 7 --minutes 5` runs it by hand, for as long as wanted.
"""

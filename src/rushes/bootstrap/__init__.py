"""The composition root: the one place that knows every part.

locations     where an installation finds workflows, the page, its files
installation  database, storage and services of one process
dispatching   a dispatcher with its maintenance
serving       the API and page on a port
demo          the demo server as a process of its own
sample        the first job
"""

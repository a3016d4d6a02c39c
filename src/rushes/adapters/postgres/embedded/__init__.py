"""PostgreSQL for one machine: made, started, shared and stopped by Rushes itself.

supervisor   EmbeddedPostgres: start or join, stop when the last user leaves, keep alive
home         where a data directory's cluster, locks, password and log live, and whose they are
account      which system user the server runs as
binaries     which PostgreSQL runs it
cluster      making the data directory, all or nothing
server       launching, probing and stopping the postmaster
processes    which processes belong to a cluster
locks, log, problems
"""

from rushes.adapters.postgres.embedded.binaries import Binaries, installed, packaged
from rushes.adapters.postgres.embedded.supervisor import EmbeddedPostgres, EmbeddedStatus

__all__ = ["Binaries", "EmbeddedPostgres", "EmbeddedStatus", "installed", "packaged"]

"""Taking over a legacy database; each module is a step.

inspect    looks, and changes nothing
transfer   migrate: old rows into workflow_jobs, in batches, and what changes meanwhile
rules      the row rules in Python, for verify and inspect; the migrator has its own, in SQL
verify     every row recomputed and compared
files      objects into the uniform layout
report     what a step found, as text and HTML
log        what every step did, in a table
"""

UPDATE rushes.chores SET ended_at = now(), found = %(found)s WHERE name = %(name)s

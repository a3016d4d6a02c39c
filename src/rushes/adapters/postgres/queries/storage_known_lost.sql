SELECT l.key FROM rushes.lost_objects AS l WHERE l.key = ANY (%(keys)s)

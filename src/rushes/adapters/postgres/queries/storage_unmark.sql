-- What a whole check since then didn't miss is there again.
DELETE FROM rushes.lost_objects WHERE found_at < %(before)s

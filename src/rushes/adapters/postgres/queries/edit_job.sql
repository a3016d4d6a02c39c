-- Run as the person. Each value comes with a flag, so that NULL can be written.
UPDATE public.workflow_jobs
SET title = CASE WHEN %(set_title)s THEN %(title)s::text ELSE title END,
    rating = CASE WHEN %(set_rating)s THEN %(rating)s::smallint ELSE rating END,
    tags = CASE WHEN %(set_tags)s THEN %(tags)s::text[] ELSE tags END,
    visibility = CASE WHEN %(set_visibility)s THEN %(visibility)s::text ELSE visibility END,
    deleted_at = CASE WHEN NOT %(set_deleted)s THEN deleted_at
                      WHEN %(deleted)s THEN coalesce(deleted_at, now()) END
WHERE id = %(id)s
RETURNING id

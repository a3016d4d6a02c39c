-- Uploads that come in parts or straight to the store, and the same bytes kept once a person.

-- Beside an upload that is in parts lies a folder with what has come so far. The same bytes as those of another
-- upload are kept where that one's are: object_key says where, key stays the upload's own.
ALTER TABLE public.uploads
    ADD COLUMN in_parts boolean NOT NULL DEFAULT false,
    ADD COLUMN object_key text;
GRANT SELECT (in_parts, object_key) ON public.uploads TO authenticated;

CREATE INDEX uploads_object ON public.uploads (coalesce(object_key, key));
CREATE INDEX uploads_same_bytes ON public.uploads (user_id, sha256) WHERE status = 'stored';

-- The object goes with the last upload that is kept there.
CREATE OR REPLACE FUNCTION rushes.discard_upload_files() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_keys', jsonb_agg(DISTINCT coalesce(g.object_key, g.key)) FROM gone AS g
    WHERE NOT EXISTS (
        SELECT FROM public.uploads AS u WHERE coalesce(u.object_key, u.key) = coalesce(g.object_key, g.key))
    HAVING count(*) > 0;
    INSERT INTO public.storage_outbox (action, target)
    SELECT 'delete_prefix', to_jsonb(format('uploads/%s/%s-parts/', g.user_id, g.id)) FROM gone AS g WHERE g.in_parts;
    RETURN NULL;
END
$$;

SELECT d.legacy_id, d.id::text, d.job_id::text, d.name, d.settings, d.created_at, d.legacy_row, (
    SELECT coalesce(jsonb_agg(jsonb_build_array(i.legacy_id, i.position, i.image, i.caption, i.legacy_row) ORDER BY i.position), '[]')
    FROM public.caption_dataset_items AS i WHERE i.dataset_id = d.id)
FROM public.caption_datasets AS d WHERE d.legacy_id = ANY (%(ids)s::text[])

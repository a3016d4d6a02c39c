SELECT jsonb_build_object('rushes:cut', j.legacy_row -> 'rushes:cut') FROM public.caption_dataset_items AS j
WHERE j.legacy_id = t.{key}::text AND j.legacy_row ? 'rushes:cut'

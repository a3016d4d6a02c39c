SELECT jsonb_build_object('rushes:cut', j.legacy_row -> 'rushes:cut') FROM public.workflow_jobs AS j
WHERE j.legacy_table = '{name}' AND j.legacy_id = t.{key}::text AND j.legacy_row ? 'rushes:cut'

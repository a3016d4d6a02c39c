SELECT count(*) FROM public.{name} WHERE workflow_type IS NULL

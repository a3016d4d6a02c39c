DROP TRIGGER IF EXISTS {guard} ON public.{name}

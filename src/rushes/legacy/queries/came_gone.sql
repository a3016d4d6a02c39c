DELETE FROM pg_temp.came

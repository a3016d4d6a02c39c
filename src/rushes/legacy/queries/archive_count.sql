SELECT count(*) FROM legacy_archive.{name}

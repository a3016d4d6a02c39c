UPDATE rushes_legacy.choices SET visibility = %(visibility)s

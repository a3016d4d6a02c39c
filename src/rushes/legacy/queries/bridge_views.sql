SELECT rushes_legacy.bridge_text() UNION ALL SELECT rushes_legacy.unified_text()

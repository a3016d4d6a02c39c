SELECT rushes_legacy.bridge_up()

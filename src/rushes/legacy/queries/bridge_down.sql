SELECT rushes_legacy.bridge_down()

SELECT rushes_legacy.roll_back()

SELECT rushes_legacy.carry_back(%(most)s)

SELECT rushes.take_rates(%(keys)s, %(bursts)s, %(spacings)s)

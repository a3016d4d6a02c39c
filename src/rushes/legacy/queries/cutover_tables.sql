SELECT rushes_legacy.standing('r'), rushes_legacy.standing('v')

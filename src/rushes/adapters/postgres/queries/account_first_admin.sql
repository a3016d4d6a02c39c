SELECT rushes.first_admin()

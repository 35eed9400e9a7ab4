"""What people choose, type and read out: rules, weak PINs, codes and challenges."""

"""IEC 60870-5 application data and its 104 transport."""

"""Less memory for more time: functions and loops that are run again in the reverse sweep."""

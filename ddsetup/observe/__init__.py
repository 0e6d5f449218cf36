"""What is there: one snapshot, by bulk reads that overlap."""

"""What searches reach for how many trials and seconds."""

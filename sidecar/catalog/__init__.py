"""What is known of models beside what their providers tell: prices, limits, abilities, and when they end."""

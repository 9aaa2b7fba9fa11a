"""What the timeline means for the customer's experience: folds over his lines, one module per measure."""

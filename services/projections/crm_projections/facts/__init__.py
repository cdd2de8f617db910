"""What every view's facts are made of: instants, amounts, intervals known from one sequence to another."""

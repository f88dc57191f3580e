"""Results to reports. A report takes Results and computes nothing about the text anew."""

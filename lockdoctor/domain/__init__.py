"""What observations prove: values in, values out; no clock, no input or output."""

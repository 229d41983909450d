"""The web portal: what people see."""

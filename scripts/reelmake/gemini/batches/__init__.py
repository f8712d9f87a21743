"""The batch tier: half the price, hours later, and nothing lost or paid twice on the way."""

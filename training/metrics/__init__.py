"""How good is a predicted measure, and what would simple rules have predicted?"""

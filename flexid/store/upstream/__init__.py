"""Reads a database of Flexisip Account Manager, and moves what it holds into ours.

All of this waits for two servers: it is for threads. What is found wrong is told in English, as all that operators
read on their terminals.
"""

"""Ports in memory, for tests of the services alone: they book what they are asked and answer what they are told.

accounts   people                 comfy    a ComfyUI server that follows a script
queue      the queue's writes     events   hints and the event log
"""

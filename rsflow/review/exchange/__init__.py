"""Decisions to and from other tools: tables, Label Studio, CVAT."""

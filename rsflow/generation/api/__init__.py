"""Endpoints with OpenAI's interface: access, requests and answers, rate limits."""

"""Surveys: links that name an invitation, and the page behind them. A GET never records; 2xx means it is on the log."""

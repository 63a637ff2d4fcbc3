"""Yunliao (云聊): conversations with Alibaba Cloud's assistants, from the terminal."""

__version__ = "0.1.0"

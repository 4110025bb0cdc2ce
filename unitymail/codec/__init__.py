"""Audio: whatever a message holds becomes samples, samples become what a telephone system or Outlook plays.

Knows FFmpeg (through PyAV) and how it must be asked; refuses to know messages, parts and their encodings.
"""

from unitymail.codec.codec import Codec as Codec

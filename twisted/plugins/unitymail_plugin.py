from twisted.application.service import ServiceMaker

unitymail = ServiceMaker("unitymail", "unitymail.tap", "A mail node for unified messaging.", "unitymail")

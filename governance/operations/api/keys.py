"""`keys/`: the public key that statements are verified with."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.audit.queries.keys import public_key
from governance.operations.api.serializers import KeyAnswer


class PublicKey(APIView):
    """The key of this installation."""

    @extend_schema(operation_id="keys_retrieve", responses=KeyAnswer)
    def get(self, request: Request) -> Response:
        """The public key (PEM), for `weighbridge gate --statement FILE --public-key FILE`."""
        return Response(KeyAnswer({"algorithm": "Ed25519", "public_key_pem": public_key()}).data)
